// A line chart over time with three grid lines. Drawn with SVG attributes only: the CSP allows no inline styles.

import { number } from "./texts.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 1000;
const HEIGHT = 200;
const STEPS = [1, 2, 5];

/** Draw `values`, oldest first, into `svg`. Returns the value at the top of the grid. */
export function drawChart(svg, values, label) {
  const top = roundUp(Math.max(1, ...values));
  const x = (place) => (place / (values.length - 1)) * WIDTH;
  const y = (value) => HEIGHT - (value / top) * HEIGHT;
  const line = values.map((value, place) => `${place ? "L" : "M"}${x(place).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("aria-label", `${label}: ${number(values.at(-1))}`);
  svg.replaceChildren(
    ...[0, 0.5, 1].map((share) => path("grid", `M0 ${y(top * share)}H${WIDTH}`)),
    path("area", `${line}L${WIDTH} ${HEIGHT}L0 ${HEIGHT}Z`),
    path("line", line),
  );
  return top;
}

/** The next of 1, 2, 5, 10, 20, ... */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [...STEPS, 10].find((step) => step * power >= value);
}

function path(name, d) {
  const element = document.createElementNS(SVG, "path");
  element.setAttribute("class", name);
  element.setAttribute("d", d);
  return element;
}
