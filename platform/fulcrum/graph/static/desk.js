// What goes on in another process is looked at again by itself; without this script there is a link for it.
const waiting = document.querySelector("[data-reload]");
if (waiting) {
  setTimeout(() => location.reload(), 1000 * Number(waiting.dataset.reload));
}
