// Shows only the types whose name or description has every word of the search box, while one types.
// Without it, and for fields, the form's button asks the server, which searches everything.
(() => {
  const box = document.getElementById("q");
  const sections = [...document.querySelectorAll(".types")];
  if (!box || !sections.length) return;
  const filter = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const section of sections) {
      let shown = 0;
      for (const name of section.querySelectorAll("dt")) {
        const about = name.nextElementSibling;
        const text = `${name.textContent} ${about.textContent}`.toLowerCase();
        const hit = words.every((word) => text.includes(word));
        name.hidden = about.hidden = !hit;
        shown += hit;
      }
      section.hidden = !shown;
    }
  };
  box.addEventListener("input", filter);
})();
