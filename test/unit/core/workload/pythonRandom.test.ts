import { describe, expect, it } from "vitest";
import { PythonRandom } from "../../../../src/core/workload/pythonRandom.js";

/** Printed by CPython 3.11: random(), gauss(0, 1) twice, randint(1, 6), randint(5, 500000), _randbelow(1). */
const CPYTHON: readonly (readonly [number, readonly number[]])[] = [
  [0, [0.8444218515250481, 0.05219198828260849, -1.0434089742005737, 3, 268060, 0]],
  [42, [0.6394267984578837, 0.7921447409497909, 0.12551827570326066, 2, 73163, 0]],
  [43, [0.038551839337380045, -0.18480797498778134, -0.5259845999362794, 4, 193927, 0]],
  [2 ** 32 + 5, [0.15727238718789782, -0.27607924996182365, 1.3337004119808242, 1, 186161, 0]],
  [-7, [0.32383276483316237, 0.8465186258155725, 1.178302784639487, 1, 430589, 0]],
  [123456789012345, [0.6744750084019356, -0.1875814700995788, 0.6886125538766376, 5, 459711, 0]],
];

describe("PythonRandom", () => {
  it.each(CPYTHON)("draws what CPython draws for seed %i", (seed, expected) => {
    const random = new PythonRandom(seed);
    const drawn = [
      random.random(),
      random.gauss(0, 1),
      random.gauss(0, 1),
      random.randint(1, 6),
      random.randint(5, 500_000),
      random.randbelow(1),
    ];
    // Python and JavaScript may differ in the last bit of a cosine.
    drawn.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] as number, 14);
    });
  });

  it("goes on past its first 624 words as CPython does", () => {
    const random = new PythonRandom(1);
    let sum = 0;
    for (let i = 0; i < 2000; i++) sum += random.random();
    expect(sum).toBe(1004.6289105348628);
  });

  it("draws below the largest bound", () => {
    expect(new PythonRandom(9).randbelow(4_294_967_295)).toBe(1_988_601_454);
  });
});
