import { z } from "zod";
import { GUEST_USER } from "../guest/shell_words.ts";

/** Fields that reading and writing a guest's file share. */
export const guestPath = z.string().min(1).max(4096).describe(
  "Path of a file in the guest; relative ones begin at the user's home",
);

/** Whose rights count. */
export const fileUser = z.string().regex(
  GUEST_USER,
  "must be 1 to 32 of a-z A-Z 0-9 . _ - and start with a letter or _",
).optional().describe("User in the guest with whose rights, through sudo; default the login user");

/** How the content is written down. */
export const encoding = z.enum(["text", "base64"]).default("text").describe(
  "text (UTF-8), or base64 for bytes that are no text",
);
