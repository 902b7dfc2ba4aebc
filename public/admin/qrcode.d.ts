/** What the page uses of the package qrcode-generator, which the server serves as `qrcode.js`. */
interface QRCode {
  addData(text: string): void;
  make(): void;
  getModuleCount(): number;
  isDark(row: number, column: number): boolean;
}

/** Makes a code; type 0 is the smallest type that the text fits into. */
declare function qrcode(type: 0, correction: 'L' | 'M' | 'Q' | 'H'): QRCode;

// oxlint-disable-next-line import/no-default-export -- so the package has it
export default qrcode;
