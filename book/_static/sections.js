"use strict";
// A section far from the window is not laid out at first (course.css), so that a long page appears as soon as a short one. Until it is, its height
// is a guess, and a jump past it would land in the wrong place. So sections are laid out one at a time while the browser is idle, and all
// that are left before a jump.
{
  const waiting = [...document.querySelectorAll(".bd-article > section section")];
  const whenIdle = window.requestIdleCallback ?? setTimeout;
  let hasMoved = false;

  const layOut = (section) => {
    section.style.contentVisibility = "visible";
  };

  const layOutAll = () => waiting.splice(0).forEach(layOut);

  const layOutNext = () => {
    const section = waiting.shift();
    if (section) {
      layOut(section);
      section.getBoundingClientRect(); // now, and not together with the next
      whenIdle(layOutNext);
    } else {
      if (location.hash && !hasMoved) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
      // The fonts of equations come only now, and the theme measures again, on a change of size, which boxes scroll.
      document.fonts.ready.then(() => dispatchEvent(new Event("resize")));
    }
  };

  for (const move of ["wheel", "touchstart", "keydown", "pointerdown"])
    addEventListener(move, () => (hasMoved = true), { once: true, passive: true });
  addEventListener("click", (event) => event.target.closest("a[href*='#']") && layOutAll(), { capture: true });
  addEventListener("popstate", layOutAll);
  addEventListener("beforeprint", layOutAll);
  if (document.readyState === "complete") whenIdle(layOutNext);
  else addEventListener("load", () => whenIdle(layOutNext));
}
