"use strict";
// Keys: the page before and after, the search, and a list of the keys. They can be switched off.

{
  const SETTING = "layer-by-layer:keys";
  let dialog;

  function areOn() {
    try {
      return localStorage.getItem(SETTING) !== "off";
    } catch {
      return true;
    }
  }

  function switchKeys(on) {
    try {
      localStorage.setItem(SETTING, on ? "on" : "off");
    } catch {
      // Where nothing can be kept, the keys stay on.
    }
  }

  function showHelp() {
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.className = "keys";
      dialog.setAttribute("aria-labelledby", "keys-title");
      dialog.innerHTML = `
        <h2 id="keys-title">Keys</h2>
        <dl>
          <div><dt><kbd>→</kbd> or <kbd>n</kbd></dt><dd>next page</dd></div>
          <div><dt><kbd>←</kbd> or <kbd>p</kbd></dt><dd>previous page</dd></div>
          <div><dt><kbd>/</kbd></dt><dd>search</dd></div>
          <div><dt><kbd>?</kbd></dt><dd>this list</dd></div>
        </dl>
        <form method="dialog">
          <label><input type="checkbox"> Keys are on</label>
          <button>Close</button>
        </form>`;
      const box = dialog.querySelector("input");
      box.addEventListener("change", () => switchKeys(box.checked));
      document.body.append(dialog);
    }
    dialog.querySelector("input").checked = areOn();
    dialog.showModal();
  }

  function search() {
    const field = document.querySelector("main input[type=search]");
    if (field) field.focus();
    else document.querySelector(".search-button__button")?.click();
  }

  const follow = (link) => () => document.querySelector(`.prev-next-area ${link}`)?.click();
  const next = follow("a.right-next");
  const previous = follow("a.left-prev");
  const ACTIONS = { ArrowRight: next, n: next, ArrowLeft: previous, p: previous, "/": search, "?": showHelp };

  /** Whether a key belongs to what has the focus: text that is typed, a picture with knobs, a box that scrolls sideways. */
  function isTaken(element, key) {
    if (element.closest("input, textarea, select, [contenteditable], .explorer, dialog")) return true;
    return key.startsWith("Arrow") && element !== document.body && element.scrollWidth > element.clientWidth;
  }

  addEventListener("keydown", (event) => {
    const action = ACTIONS[event.key];
    if (!action || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.key.startsWith("Arrow") && event.shiftKey) return;
    if (!areOn() || document.querySelector("dialog[open]") || isTaken(event.target, event.key)) return;
    event.preventDefault();
    action();
  });

  document.querySelector(".keys-help")?.addEventListener("click", showHelp);
}
