// The landscape as a lit surface in WebGL2 over its shadow, with the paths on it: faint where the hill hides them.
import { FONT } from "./axes.ts";
import { element } from "./dom.ts";
import { watchGestures } from "./gestures.ts";
import { type Landscape, shareOf } from "./landscape.ts";
import { clamp, shown, ticks } from "./numbers.ts";
import { numbersOf, type Palette, ramp } from "./palette.ts";
import { type Path, rowAt, type Scene, type ShownRun } from "./scene.ts";

/** The box is 2 wide and deep around the middle; heights go from 0 to 1, and the floor lies below. */
const FLOOR = -0.6;
/** How much is seen of what the surface hides. */
const FAINT = 0.3;
const [NEAREST, FARTHEST] = [3, 16];

const GROUND = [
  `#version 300 es
in vec3 place; in vec3 normal; in float level; uniform mat4 camera; uniform float flatness; out vec3 up; out float share;
void main() {
  gl_Position = camera * vec4(place.xy, mix(place.z, ${FLOOR}, flatness), 1);
  up = mix(normal, vec3(0, 0, 1), flatness);
  share = level;
}`,
  `#version 300 es
precision highp float;
in vec3 up; in float share; uniform sampler2D colours; uniform float bands; uniform float dark; out vec4 colour;
void main() {
  vec3 own = texture(colours, vec2(clamp(share, 0., 1.), .5)).rgb;
  float light = .78 + .22 * abs(dot(normalize(up), normalize(vec3(-.4, .5, .8))));
  float at = share * bands, line = smoothstep(0., 1.2 * fwidth(at), min(fract(at), 1. - fract(at)));
  colour = vec4(mix(mix(own * .86, own + .06, dark), own, line) * light, 1);
}`,
] as const;
const LINE = [
  `#version 300 es
in vec3 from; in vec3 to; uniform mat4 camera; uniform vec2 size; uniform float width; uniform float flatness;
void main() {
  vec3 lower = vec3(1, 1, 1. - flatness), down = vec3(0, 0, ${FLOOR} * flatness);
  vec4 a = camera * vec4(from * lower + down, 1), b = camera * vec4(to * lower + down, 1);
  vec2 along = (b.xy / b.w - a.xy / a.w) * size;
  vec2 side = length(along) > 0. ? normalize(vec2(-along.y, along.x)) : vec2(0, 1);
  gl_Position = gl_VertexID < 2 ? a : b;
  gl_Position.xy += side * (gl_VertexID % 2 == 0 ? width : -width) / size * gl_Position.w;
  gl_Position.z -= .003 * gl_Position.w;
}`,
  `#version 300 es
precision highp float; uniform vec4 own; out vec4 colour;
void main() { colour = own; }`,
] as const;
const DOT = [
  `#version 300 es
in vec3 at; in float share; uniform mat4 camera; uniform vec2 size; uniform float width; out vec2 corner; out vec3 own;
void main() {
  corner = vec2(gl_VertexID % 2 == 0 ? -1. : 1., gl_VertexID < 2 ? -1. : 1.);
  own = vec3(1, share, 0);
  gl_Position = camera * vec4(at, 1);
  gl_Position.xy += corner * width / size * gl_Position.w;
  gl_Position.z -= .005 * gl_Position.w;
}`,
  `#version 300 es
precision highp float; in vec2 corner; in vec3 own; uniform vec4 rim; out vec4 colour;
void main() {
  if (length(corner) > 1.) discard;
  colour = vec4(mix(own, rim.rgb, rim.a), 1);
}`,
] as const;

/** A place in the box. */
type Place = readonly [number, number, number];

export interface SurfaceActions {
  /** The pointer is over a pixel, or has left. */
  hover(x: number, y: number): void;
  leave(): void;
  /** It has been drawn, and more can be drawn over it. */
  drawn(ink: CanvasRenderingContext2D): void;
}

export class Surface {
  readonly element: HTMLElement;
  /** What is seen: the drawing of the graphics card, with names and numbers over it. */
  readonly picture = element("canvas", { class: "figure surface", role: "img", tabindex: 0 });
  private readonly canvas = document.createElement("canvas");
  /** Begun when it is first wanted, which takes a while; null where the browser has no WebGL 2. */
  private gl: WebGL2RenderingContext | null | undefined;
  private ground!: WebGLProgram;
  private line!: WebGLProgram;
  private dot!: WebGLProgram;
  private corners!: WebGLBuffer;
  private triangles!: WebGLBuffer;
  private moving!: WebGLBuffer;
  private texture!: WebGLTexture;
  private count = 0;
  private land: Landscape | null = null;
  private scene: Scene<Path> | null = null;
  private camera = new Float32Array(16);

  /** Arguments:
   *   label: what it is, for readers of the screen.
   *   on: called as it is drawn and as the pointer moves over it.
   *   azimuth, elevation: from where it is seen, in radians.
   */
  constructor(
    label: string,
    private readonly on: SurfaceActions | null = null,
    private azimuth = -1.05,
    private elevation = 0.6,
    private distance = 7,
  ) {
    this.picture.setAttribute("aria-label", label);
    this.element = element("div", { class: "plot" }, this.picture);
    this.watch();
  }

  /** Whether the browser can draw it, as far as is known. */
  get possible(): boolean {
    return this.gl !== null && typeof WebGL2RenderingContext === "function";
  }

  /** From where it is seen: azimuth, elevation and distance. */
  get view(): readonly [number, number, number] {
    return [this.azimuth, this.elevation, this.distance];
  }

  /** Get ready to draw; whether that is possible. */
  begin(): boolean {
    if (this.gl !== undefined) return this.gl !== null;
    const gl = this.canvas.getContext("webgl2", { antialias: true, alpha: false, stencil: true });
    this.gl = gl;
    if (!gl) return false;
    [this.ground, this.line, this.dot] = [program(gl, GROUND), program(gl, LINE), program(gl, DOT)];
    [this.corners, this.triangles, this.moving] = [gl.createBuffer(), gl.createBuffer(), gl.createBuffer()];
    this.texture = gl.createTexture();
    gl.enable(gl.DEPTH_TEST);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
    gl.stencilFunc(gl.EQUAL, 0, 255);
    gl.stencilOp(gl.KEEP, gl.KEEP, gl.INCR);
    return true;
  }

  /** Take a landscape: its heights and their colours. */
  show(land: Landscape, palette: Palette): void {
    this.land = land;
    const gl = this.gl;
    if (!gl) return;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.corners);
    gl.bufferData(gl.ARRAY_BUFFER, cornersOf(land), gl.STATIC_DRAW);
    const triangles = trianglesOf(land);
    this.count = triangles.length;
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.triangles);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, triangles, gl.STATIC_DRAW);
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB, 256, 1, 0, gl.RGB, gl.UNSIGNED_BYTE, ramp(palette.heights, 256));
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  }

  draw(scene: Scene<Path>): void {
    this.scene = scene;
    const { gl, canvas, picture, land } = this;
    if (!gl || !land || !picture.clientWidth) return;
    const width = Math.round(picture.clientWidth * devicePixelRatio);
    const height = Math.round(picture.clientHeight * devicePixelRatio);
    for (const each of [canvas, picture]) {
      if (each.width !== width) each.width = width;
      if (each.height !== height) each.height = height;
    }
    this.camera = cameraOf(this.azimuth, this.elevation, this.distance, canvas.width / canvas.height);
    this.drawGround(gl, land, scene.palette);
    this.drawPaths(gl, land, scene);
    const ink = picture.getContext("2d")!;
    ink.setTransform(1, 0, 0, 1, 0, 0);
    // Before the drawing is lost, which it is when this task ends.
    ink.drawImage(canvas, 0, 0);
    ink.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    this.drawEdges(ink, land, scene);
    this.on?.drawn(ink);
  }

  /** Where a row of a run is on the picture, in pixels of the page. */
  spot(run: Path, row: number): readonly [number, number] {
    const { land, scene } = this;
    return land && scene ? this.project(placeOf(run, row, scene, land)) : [Number.NaN, Number.NaN];
  }

  /** Where a place in the box is on the picture. */
  private project([x, y, z]: Place): readonly [number, number] {
    const m = this.camera;
    const [u, v, w] = [0, 1, 3].map((k) => m[k]! * x + m[4 + k]! * y + m[8 + k]! * z + m[12 + k]!);
    const { clientWidth, clientHeight } = this.picture;
    return [((u! / w! + 1) / 2) * clientWidth, ((1 - v! / w!) / 2) * clientHeight];
  }

  private drawGround(gl: WebGL2RenderingContext, land: Landscape, palette: Palette): void {
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    const [red, green, blue] = shares(palette.ground);
    gl.clearColor(red, green, blue, 1);
    gl.depthMask(true);
    gl.depthFunc(gl.LEQUAL);
    gl.disable(gl.BLEND);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    this.use(gl, this.ground, { bands: [land.bands], dark: [palette.dark ? 1 : 0] });
    feed(gl, this.ground, this.corners, { place: 3, normal: 3, level: 1 }, 0);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.triangles);
    for (const flatness of [1, 0]) {
      this.use(gl, this.ground, { flatness: [flatness] });
      gl.drawElements(gl.TRIANGLES, this.count, gl.UNSIGNED_INT, 0);
    }
  }

  private drawPaths(gl: WebGL2RenderingContext, land: Landscape, scene: Scene<Path>): void {
    gl.enable(gl.BLEND);
    gl.depthMask(false);
    for (const shown of scene.runs) {
      this.drawPath(gl, land, scene, shown);
      if (scene.graded) this.drawDots(gl, land, scene, shown);
    }
  }

  /** Draw a path as far as it is shown: its shadow, what the surface hides of it, faint, and the rest. */
  private drawPath(gl: WebGL2RenderingContext, land: Landscape, scene: Scene<Path>, shown: ShownRun<Path>): void {
    const segments = segmentsOf(shown.run, scene, land);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.moving);
    gl.bufferData(gl.ARRAY_BUFFER, segments, gl.DYNAMIC_DRAW);
    feed(gl, this.line, this.moving, { from: 3, to: 3 }, 1);
    const own = shares(scene.graded ? scene.palette.ink : scene.palette.runs[shown.look]!);
    const wide = shown.entry === scene.active ? 3.2 : 2.5;
    const passes = [
      [1, gl.LEQUAL, 0.9],
      [0, gl.GREATER, FAINT],
      [0, gl.LEQUAL, 1],
    ] as const;
    for (const [flatness, depth, opacity] of passes) {
      gl.depthFunc(depth);
      const rim = flatness || scene.graded ? [] : [[shares(scene.palette.rim), 2 * wide] as const];
      for (const [colour, width] of [...rim, [own, scene.graded ? 2 : wide] as const]) {
        const given = { flatness: [flatness], width: [width * devicePixelRatio], own: [...colour, opacity] };
        this.use(gl, this.line, given);
        // Each pixel once: what is faint stays so where many short steps lie on each other.
        gl.clear(gl.STENCIL_BUFFER_BIT);
        gl.enable(gl.STENCIL_TEST);
        gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, segments.length / 6);
        gl.disable(gl.STENCIL_TEST);
      }
    }
  }

  /** Draw the points of a path, red at its start to yellow at its end. */
  private drawDots(gl: WebGL2RenderingContext, land: Landscape, scene: Scene<Path>, { run }: ShownRun<Path>): void {
    const dots: number[] = [];
    for (let row = 0; row <= rowAt(run, scene.at); row++) {
      const place = placeOf(run, row, scene, land);
      if (place.every(Number.isFinite)) dots.push(...place, row / Math.max(1, run.count));
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, this.moving);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(dots), gl.DYNAMIC_DRAW);
    feed(gl, this.dot, this.moving, { at: 3, share: 1 }, 1);
    gl.depthFunc(gl.LEQUAL);
    // All rims lie below all points, as these are close to each other.
    for (const [width, rim] of [
      [5, 1],
      [4, 0],
    ] as const) {
      const given = { width: [width * devicePixelRatio], rim: [...shares(scene.palette.ink), rim] };
      this.use(gl, this.dot, given);
      gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, dots.length / 4);
    }
  }

  /** Draw numbers and names beside the box, at those of its edges that are outermost from where it is seen. */
  private drawEdges(ink: CanvasRenderingContext2D, land: Landscape, { names, axes, palette }: Scene<Path>): void {
    const [left, right, bottom, top] = land.box;
    ink.strokeStyle = ink.fillStyle = palette.ink;
    ink.font = FONT;
    ink.lineWidth = 1;
    ink.textBaseline = "middle";
    const sx = Math.cos(this.azimuth) > 0 ? 1 : -1;
    const sy = Math.sin(this.azimuth) > 0 ? 1 : -1;
    const middle = this.project([0, 0, 0.2]);
    const edge = (from: Place, to: Place, named: readonly (readonly [Place, string])[], name: string) => {
      const [[x0, y0], [x1, y1]] = [this.project(from), this.project(to)];
      ink.beginPath();
      ink.moveTo(x0, y0);
      ink.lineTo(x1, y1);
      ink.stroke();
      const [across, down] = [(x0 + x1) / 2, (y0 + y1) / 2];
      const long = Math.hypot(x1 - x0, y1 - y0) || 1;
      const outward = (y1 - y0) * (across - middle[0]) + (x0 - x1) * (down - middle[1]) > 0 ? 1 / long : -1 / long;
      const [u, v] = [(y1 - y0) * outward, (x0 - x1) * outward];
      ink.textAlign = u > 0.4 ? "left" : u < -0.4 ? "right" : "center";
      for (const [place, text] of named) {
        const [x, y] = this.project(place);
        ink.fillText(text, x + 9 * u, y + 14 * v);
      }
      ink.fillText(name, across + 44 * u, down + 36 * v);
    };
    const at = (value: number, low: number, high: number) => (2 * (value - low)) / (high - low) - 1;
    const alongX = ticks(left, right, 5).map((x) => [[at(x, left, right), sy, FLOOR], shown(x)] as const);
    const alongY = ticks(bottom, top, 5).map((y) => [[sx, at(y, bottom, top), FLOOR], shown(y)] as const);
    edge([-1, sy, FLOOR], [1, sy, FLOOR], alongX, names[axes[0]]!);
    edge([sx, -1, FLOOR], [sx, 1, FLOOR], alongY, names[axes[1]]!);
    // Of the two upright edges at the sides, the left one.
    const sides = [
      [sx, -sy],
      [-sx, sy],
    ] as const;
    const [[x, y]] = [...sides].sort(
      (a, b) => this.project([...a, 0])[0] - this.project([...b, 0])[0],
    ) as (typeof sides)[0][];
    edge([x!, y!, FLOOR], [x!, y!, 1], [], "");
    ink.textAlign = "right";
    for (const [height, text] of land.upright?.ticks ?? ticksOf(land)) {
      const [across, down] = this.project([x!, y!, height]);
      ink.fillText(text, across - 8, down);
    }
    if (land.upright) {
      ink.textAlign = "left";
      ink.fillText(land.upright.name, 8, 14);
    }
  }

  /** Choose a program, and give it numbers by their names. */
  private use(gl: WebGL2RenderingContext, chosen: WebGLProgram, given: Record<string, readonly number[]>): void {
    const place = (name: string) => gl.getUniformLocation(chosen, name);
    gl.useProgram(chosen);
    gl.uniformMatrix4fv(place("camera"), false, this.camera);
    gl.uniform2f(place("size"), this.canvas.width, this.canvas.height);
    for (const [name, numbers] of Object.entries(given)) {
      if (numbers.length === 4) gl.uniform4fv(place(name), numbers);
      else gl.uniform1fv(place(name), numbers);
    }
  }

  /** Turn by drag, of a finger too, and by arrow keys; come nearer by wheel, by two fingers, and by + and −. */
  private watch(): void {
    const again = () => {
      if (this.scene) this.draw(this.scene);
    };
    const turn = (across: number, up: number) => {
      this.azimuth -= across * 0.008;
      this.elevation = clamp(this.elevation + up * 0.006, 0.02, 1.55);
      again();
    };
    const nearer = (factor: number) => {
      this.distance = clamp(this.distance / factor, NEAREST, FARTHEST);
      again();
    };
    watchGestures(this.picture, {
      pan: turn,
      zoom: (factor) => nearer(1 / factor),
      tap: (x, y) => this.on?.hover(x, y),
      hover: (x, y) => this.on?.hover(x, y),
      leave: () => this.on?.leave(),
    });
    this.picture.addEventListener("keydown", (event) => {
      const act = {
        ArrowLeft: () => turn(-12, 0),
        ArrowRight: () => turn(12, 0),
        ArrowUp: () => turn(0, -12),
        ArrowDown: () => turn(0, 12),
        "+": () => nearer(1.1),
        "-": () => nearer(1 / 1.1),
      }[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    });
  }
}

const shares = (colour: string): number[] => numbersOf(colour).map((part) => part / 255);

/** Round values with the heights at which they are. */
function ticksOf(land: Landscape): (readonly [number, string])[] {
  return ticks(land.low, land.high, 4).map((value) => [shareOf(land, value), shown(value)] as const);
}

/** Of each grid point: its place, the direction across the surface there, and its level of colour. */
function cornersOf({ columns, rows, share, upright }: Landscape): Float32Array {
  const heights = upright?.heights ?? share;
  const corners = new Float32Array(7 * columns * rows);
  const at = (i: number, j: number, own: number) => {
    const found = heights[clamp(j, 0, rows - 1) * columns + clamp(i, 0, columns - 1)]!;
    return Number.isNaN(found) ? own : found;
  };
  for (let j = 0, k = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++, k++) {
      const z = heights[k]!;
      const east = ((at(i + 1, j, z) - at(i - 1, j, z)) * (columns - 1)) / 4;
      const north = ((at(i, j - 1, z) - at(i, j + 1, z)) * (rows - 1)) / 4;
      corners.set([(2 * i) / (columns - 1) - 1, 1 - (2 * j) / (rows - 1), z, -east, -north, 1, share[k]!], 7 * k);
    }
  }
  return corners;
}

/** The corners of triangles, none where a height is missing. */
function trianglesOf({ columns, rows, share, upright }: Landscape): Uint32Array {
  const heights = upright?.heights ?? share;
  const triangles = new Uint32Array((columns - 1) * (rows - 1) * 6);
  let count = 0;
  for (let j = 0; j < rows - 1; j++) {
    for (let i = 0; i < columns - 1; i++) {
      const a = j * columns + i;
      const [b, c, d] = [a + 1, a + columns, a + columns + 1];
      if (Number.isNaN(heights[a]! + heights[b]! + heights[c]! + heights[d]!)) continue;
      triangles.set([a, c, b, b, c, d], count);
      count += 6;
    }
  }
  return triangles.subarray(0, count);
}

/** Where a row of a run is in the box; NaN where it is not inside. */
function placeOf(run: Path, row: number, { axes }: Scene<Path>, land: Landscape): Place {
  const [left, right, bottom, top] = land.box;
  const x = (2 * (run.x[row * run.dimension + axes[0]]! - left)) / (right - left) - 1;
  const y = (2 * (run.x[row * run.dimension + axes[1]]! - bottom)) / (top - bottom) - 1;
  // A little over 1, for what rounding moves over the edge.
  if (!(Math.max(Math.abs(x), Math.abs(y)) <= 1.000001)) return [x, y, Number.NaN];
  return [x, y, run.heights ? run.heights[row]! : shareOf(land, run.value[row]!)];
}

/** The two ends of each step of a run, as far as it is shown, inside the box. */
function segmentsOf(run: Path, scene: Scene<Path>, land: Landscape): Float32Array {
  const last = rowAt(run, scene.at);
  const ends = new Float32Array(6 * Math.max(0, last));
  let from = placeOf(run, 0, scene, land);
  let k = 0;
  for (let row = 1; row <= last; row++) {
    const to = placeOf(run, row, scene, land);
    if (!Number.isNaN(from[2] + to[2])) {
      ends.set([...from, ...to], k);
      k += 6;
    }
    from = to;
  }
  return ends.subarray(0, k);
}

/** The matrix of a camera that looks at the middle of the box. */
function cameraOf(azimuth: number, elevation: number, distance: number, aspect: number): Float32Array<ArrayBuffer> {
  const [ca, sa] = [Math.cos(azimuth), Math.sin(azimuth)];
  const [ce, se] = [Math.cos(elevation), Math.sin(elevation)];
  const [near, far, zoom] = [0.5, 25, 3.9 * Math.min(1, aspect)];
  const [right, up, ahead] = [
    [-sa, ca, 0],
    [-se * ca, -se * sa, ce],
    [-ce * ca, -ce * sa, -se],
  ] as const;
  const middle = (1 + FLOOR) / 2;
  const steep = (far + near) / (far - near);
  const depth = distance - ahead[2] * middle;
  const columns = [0, 1, 2].flatMap((k) => [(right[k]! * zoom) / aspect, up[k]! * zoom, ahead[k]! * steep, ahead[k]!]);
  return new Float32Array([
    ...columns,
    0,
    -up[2] * middle * zoom,
    depth * steep - (2 * far * near) / (far - near),
    depth,
  ]);
}

function program(gl: WebGL2RenderingContext, [vertex, fragment]: readonly [string, string]): WebGLProgram {
  const made = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, vertex],
    [gl.FRAGMENT_SHADER, fragment],
  ] as const) {
    const shader = gl.createShader(kind)!;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(made) ?? "");
  return made;
}

/** Give a program the columns of a buffer, each of so many numbers a row; with a divisor of 1, a row an instance. */
function feed(
  gl: WebGL2RenderingContext,
  to: WebGLProgram,
  buffer: WebGLBuffer,
  columns: Record<string, number>,
  divisor: number,
): void {
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  for (let place = 0; place < 4; place++) gl.disableVertexAttribArray(place);
  const stride = 4 * Object.values(columns).reduce((sum, size) => sum + size);
  let offset = 0;
  for (const [name, size] of Object.entries(columns)) {
    const place = gl.getAttribLocation(to, name);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, size, gl.FLOAT, false, stride, offset);
    gl.vertexAttribDivisor(place, divisor);
    offset += 4 * size;
  }
}
