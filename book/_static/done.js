"use strict";
// Pages that a reader has marked as done. Their names are kept in this browser, and nothing is sent anywhere.

{
  const KEY = "layer-by-layer:done";
  const button = document.querySelector(".mark-done button");
  const progress = document.querySelector(".course-progress");
  let kept = true;
  let done = new Set();

  /** Read the marks again: another window may have changed them. */
  function read() {
    try {
      const names = JSON.parse(localStorage.getItem(KEY) ?? "[]");
      if (kept) done = new Set(Array.isArray(names) ? names : []);
    } catch {
      // What cannot be read counts as nothing.
    }
  }

  /** Keep the marks, where the browser lets a page keep something. */
  function keep() {
    try {
      localStorage.setItem(KEY, JSON.stringify([...done]));
    } catch {
      kept = false;
    }
  }

  function show() {
    if (button) {
      button.setAttribute("aria-pressed", String(done.has(button.dataset.page)));
      if (!kept) button.nextElementSibling.textContent = "This browser keeps nothing for this page: the mark goes when you leave it.";
    }
    if (progress) {
      const ticks = [...document.querySelectorAll(".tick")];
      for (const tick of ticks) tick.textContent = done.has(tick.dataset.page) ? "done: " : "";
      let total = 0;
      for (const count of progress.querySelectorAll("[data-done]")) {
        const all = ticks.filter((tick) => tick.dataset.page.startsWith(count.dataset.done));
        const those = all.filter((tick) => done.has(tick.dataset.page)).length;
        count.textContent = `${those} of ${all.length}`;
        total += those;
      }
      progress.querySelector("progress").value = total;
      progress.querySelector("button").disabled = total === 0;
    }
  }

  function update() {
    read();
    show();
  }

  button?.addEventListener("click", () => {
    read();
    if (!done.delete(button.dataset.page)) done.add(button.dataset.page);
    keep();
    show();
  });

  progress?.querySelector("button").addEventListener("click", () => {
    if (!confirm("Remove all marks of this course from this browser?")) return;
    done.clear();
    keep();
    show();
    progress.querySelector("#course-done").focus();
  });

  addEventListener("storage", update);
  addEventListener("pageshow", update); // also where the browser brings back a page that it has kept
  update();
}
