// Which view is shown: the one the address names. Back and forward work, and a link leads to a view.

const views = () => [...document.querySelectorAll("main > section")];
const links = () => [...document.querySelectorAll("nav.views a")];

/** Show the view of the address now and whenever it changes; `shown(name)` is told. */
export function follow(shown) {
  const show = () => {
    const named = location.hash.slice(1);
    const name = views().some((view) => view.id === `view-${named}`) ? named : views()[0].id.slice(5);
    for (const view of views()) view.hidden = view.id !== `view-${name}`;
    for (const link of links()) {
      if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    shown(name);
  };
  window.addEventListener("hashchange", () => {
    show();
    window.scrollTo(0, 0);
  });
  show();
}
