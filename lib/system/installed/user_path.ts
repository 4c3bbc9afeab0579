import { run } from "../../host/process.ts";
import type { Env } from "./profile.ts";

// With the registry's own words %APPDATA% and its like stay in the list as they are.
const READ = `
$ErrorActionPreference = 'Stop'
$key = [Microsoft.Win32.Registry]::CurrentUser.OpenSubKey('Environment', $true)
$entries = @(([string]$key.GetValue('Path', '', 'DoNotExpandEnvironmentNames')) -split ';')
$rest = @($entries | Where-Object { $_.TrimEnd('\\') -ne $env:NIDO_FOLDER.TrimEnd('\\') })
`;

const LOOK = `${READ}
if ($rest.Count -ne $entries.Count) { 'named' }
`;

// To remove a variable that isn't there changes nothing, but tells running programs to look anew.
const LEAVE = `${READ}
$key.SetValue('Path', ($rest -join ';'), $key.GetValueKind('Path'))
[Environment]::SetEnvironmentVariable('NIDO_FOLDER', $null, 'User')
`;

/** Opens the settings in which a user can do it by hand. */
export const byHand = "rundll32 sysdm.cpl,EditEnvironmentVariables";

/** Whether the user's PATH on Windows, where install.ps1 puts it, names a folder. */
export async function isInUserPath(folder: string, env: Env): Promise<boolean> {
  return (await powershell(LOOK, folder, env)).trim() === "named";
}

/** Takes a folder out of the user's PATH, and leaves the rest as it is. */
export async function leaveUserPath(folder: string, env: Env): Promise<void> {
  await powershell(LEAVE, folder, env);
}

async function powershell(script: string, folder: string, env: Env): Promise<string> {
  const words = ["-NoProfile", "-NonInteractive", "-Command", script];
  const { stdout } = await run("powershell", words, {
    env: { NIDO_FOLDER: folder, PATH: env("PATH") ?? "" },
    timeoutMs: 60_000,
  });
  return new TextDecoder().decode(stdout);
}
