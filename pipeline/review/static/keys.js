// Keyboard shortcuts; every page works without them. Letters do nothing while somebody types.
"use strict";
(() => {
  const rows = () => [...document.querySelectorAll(".row h2 a")];

  function move(step) {
    const links = rows();
    if (!links.length) return;
    const at = links.indexOf(document.activeElement);
    links[Math.min(Math.max(at < 0 ? (step > 0 ? 0 : links.length - 1) : at + step, 0), links.length - 1)].focus();
  }

  function press(key) {
    const target = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!target) return false;
    const fold = target.closest("details");
    if (fold) fold.open = true;
    if (target.tagName === "BUTTON") target.click();
    else if (target.type === "radio") { target.checked = true; target.focus(); }
    else target.focus();
    return true;
  }

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("textarea, select, input:not([type=radio]):not([type=checkbox])");
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (typing) { if (event.key === "Escape") typing.blur(); return; }
    if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "?") document.getElementById("keys").showModal();
    else if (!press(event.key)) return;
    event.preventDefault();
  });
})();
