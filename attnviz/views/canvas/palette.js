// Colours. One ramp per meaning, even in OKLab lightness, so that equal steps look equal, also to the colour-blind.

const STEPS = 256;
const FINE = 4096; // resolution of the table from a weight to its step
const CURVE = 0.6; // small weights are lifted so that they can be told from none; the legend is drawn with it too

// lightness from, to; chroma from, to, and how much it bulges between; hue. In degrees and OKLCH units.
const RAMPS = {
  light: {
    one: { lightness: [0.965, 0.31], chroma: [0.008, 0.12, 0.03], hue: 262 },
    free: { lightness: [0.965, 0.36], chroma: [0.008, 0.065, 0.02], hue: 195 },
    below: { lightness: [0.965, 0.4], chroma: [0.008, 0.1, 0.03], hue: 55 },
  },
  dark: {
    one: { lightness: [0.235, 0.84], chroma: [0.015, 0.09, 0.04], hue: 262 },
    free: { lightness: [0.235, 0.86], chroma: [0.012, 0.08, 0.02], hue: 190 },
    below: { lightness: [0.235, 0.82], chroma: [0.015, 0.11, 0.02], hue: 65 },
  },
};

function oklabToLinear(lightness, a, b) {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

// sRGB, 0 to 255; chroma gives way where the screen cannot show it, lightness never does.
function colour(lightness, chroma, hue) {
  const angle = (hue * Math.PI) / 180;
  for (let c = chroma; ; c -= 0.004) {
    const linear = oklabToLinear(lightness, c * Math.cos(angle), c * Math.sin(angle));
    if (c <= 0 || linear.every((v) => v >= -0.0005 && v <= 1.0005)) {
      return linear.map((v) => {
        const x = Math.min(1, Math.max(0, v));
        return Math.round(255 * (x <= 0.0031308 ? 12.92 * x : 1.055 * x ** (1 / 2.4) - 0.055));
      });
    }
  }
}

function rampColour({ lightness, chroma, hue }, t) {
  const c = chroma[0] + (chroma[1] - chroma[0]) * t + chroma[2] * 4 * t * (1 - t);
  return colour(lightness[0] + (lightness[1] - lightness[0]) * t, c, hue);
}

function makePalette(theme, kind) {
  const ramps = RAMPS[theme];
  const signed = kind === "signed";
  const css = [];
  const rgb = [];
  const packed = new Uint32Array(STEPS);
  const onDark = new Uint8Array(STEPS);
  for (let step = 0; step < STEPS; step++) {
    const t = signed ? (step - 128) / (step < 128 ? 128 : 127) : step / (STEPS - 1);
    const ramp = signed ? (t < 0 ? ramps.below : ramps.one) : ramps[kind];
    const [r, g, b] = rampColour(ramp, Math.abs(t));
    rgb.push([r, g, b]);
    css.push(`rgb(${r},${g},${b})`);
    packed[step] = 0xff000000 | (b << 16) | (g << 8) | r;
    onDark[step] = ramp.lightness[0] + (ramp.lightness[1] - ramp.lightness[0]) * Math.abs(t) < 0.58 ? 1 : 0;
  }
  const zero = signed ? 128 : 0;
  const table = new Uint8Array(FINE + 1);
  for (let i = 0; i <= FINE; i++) {
    const x = signed ? (2 * i) / FINE - 1 : i / FINE;
    const t = Math.abs(x) ** CURVE;
    table[i] = signed ? Math.round(x < 0 ? 128 - 128 * t : 128 + 127 * t) : Math.round(t * (STEPS - 1));
  }
  return { kind, signed, css, rgb, packed, onDark, zero, table };
}

const palettes = new Map();

function paletteFor(theme, group) {
  const kind = group.signed ? "signed" : group.normalised === null ? "free" : "one";
  const name = `${theme} ${kind}`;
  if (!palettes.has(name)) palettes.set(name, makePalette(theme, kind));
  return palettes.get(name);
}

// The ramp's step for a weight; what is smaller than `hide` is drawn like nothing.
function stepFor(palette, weight, scale, hide) {
  if (Math.abs(weight) < hide || !(scale > 0)) return palette.zero;
  const x = Math.max(-1, Math.min(1, weight / scale));
  return palette.table[palette.signed ? Math.round(((x + 1) / 2) * FINE) : Math.round(Math.max(0, x) * FINE)];
}

function rgbOf(text) {
  ruler.fillStyle = "#888888";
  ruler.fillStyle = text;
  const found = ruler.fillStyle;
  if (found.startsWith("#")) return [1, 3, 5].map((i) => parseInt(found.slice(i, i + 2), 16));
  return (found.match(/[\d.]+/g) || [128, 128, 128]).slice(0, 3).map(Number);
}

// What the page says of itself: whether it is dark, its paper and ink, its font.
function readTheme(node) {
  const style = getComputedStyle(node);
  const paper = style.getPropertyValue("--st-background-color").trim() || "#ffffff";
  const [r, g, b] = rgbOf(paper);
  const dark = 0.2126 * r + 0.7152 * g + 0.0722 * b < 128;
  return {
    name: dark ? "dark" : "light",
    paper,
    ink: style.getPropertyValue("--st-text-color").trim() || (dark ? "#fafafa" : "#1b1f2a"),
    soft: dark ? "#9aa4b8" : "#5f6b80",
    line: dark ? "#2b3242" : "#e4e7ee",
    accent: dark ? "#ff922b" : "#d9480f",
    family: style.fontFamily || "sans-serif",
    inks: dark ? ["#0f131c", "#f2f5fb"] : ["#1b1f2a", "#ffffff"], // on light cells, on dark cells
  };
}

// The same, and stands on the node for the style sheets.
function stampTheme(node) {
  const theme = readTheme(node);
  node.dataset.theme = theme.name;
  for (const name of ["paper", "ink", "soft", "line", "accent"]) node.style.setProperty(`--${name}`, theme[name]);
  return theme;
}
