<#
.SYNOPSIS
Installs Nido for the user who runs it.
.DESCRIPTION
Nothing is installed that doesn't have the digest which the release publishes.
.EXAMPLE
& ([scriptblock]::Create((irm ADDRESS/install.ps1))) -Version 0.1.0
#>
param(
  [string]$Version = '',
  [string]$Dir = (Join-Path $env:LOCALAPPDATA 'Programs\nido'),
  [string]$From = '',
  [switch]$NoModifyPath,
  [switch]$Unattended
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue' # in Windows PowerShell the bar slows a download down tenfold
[Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12

$Releases = 'https://github.com/nido-vm/nido/releases'
$Begin = '# >>> nido >>>'
$End = '# <<< nido <<<'

function Get-ReleaseAddress {
  $address = if ($From) { $From } elseif ($env:NIDO_RELEASES) { $env:NIDO_RELEASES } else { $Releases }
  $uri = [Uri]$address
  # What is fetched there runs here, so nobody on the way may write in it.
  if ($uri.Scheme -ne 'https' -and -not ($uri.Scheme -eq 'http' -and $uri.IsLoopback)) {
    throw "Cannot take Nido from ${address}: it is not https"
  }
  $address.TrimEnd('/')
}

function Get-System {
  $arch = if ($env:PROCESSOR_ARCHITEW6432) { $env:PROCESSOR_ARCHITEW6432 } else { $env:PROCESSOR_ARCHITECTURE }
  # Windows on ARM runs programs for x86-64 too.
  if ($arch -notin 'AMD64', 'ARM64') { throw "Cannot install Nido: there is no binary for $arch" }
  'windows-x86_64.exe'
}

function Get-File([string]$Address, [string]$Path) {
  try { Invoke-WebRequest -UseBasicParsing -TimeoutSec 600 -Uri $Address -OutFile $Path }
  catch { throw "Cannot download ${Address}: $($_.Exception.Message)" }
}

function Install-Binary([string]$Address, [string]$Scratch) {
  $sums = Join-Path $Scratch 'SHA256SUMS'
  $wanted = $Version.TrimStart('v')
  $place = if ($wanted) { "download/v$wanted" } else { 'latest/download' }
  Get-File "$Address/$place/SHA256SUMS" $sums
  $lines = Get-Content $sums
  $script = $lines | Select-String '^[0-9a-f]{64} [ *]nido-([0-9A-Za-z.-]+)\.js$' | Select-Object -First 1
  if (-not $script) { throw "Cannot install Nido: $Address sends a SHA256SUMS that is not of a release" }
  $found = $script.Matches[0].Groups[1].Value
  if ($wanted -and $wanted -ne $found) { throw "Cannot install Nido ${wanted}: $Address sends $found" }
  $name = "nido-$found-$(Get-System)"
  $line = $lines | Select-String "^([0-9a-f]{64}) [ *]$([regex]::Escape($name))$" | Select-Object -First 1
  if (-not $line) { throw "Cannot install Nido ${found}: it has no binary for Windows" }
  $digest = $line.Matches[0].Groups[1].Value

  New-Item -ItemType Directory -Force -Path $Dir | Out-Null
  # In the folder of its place, so that it comes there whole and at once.
  $candidate = Join-Path $Dir ".nido.$PID.exe"
  $binary = Join-Path $Dir 'nido.exe'
  try {
    Write-Host "Downloading $name"
    Get-File "$Address/download/v$found/$name" $candidate
    $got = (Get-FileHash -Algorithm SHA256 $candidate).Hash.ToLowerInvariant()
    if ($got -ne $digest) {
      throw "Cannot install Nido ${found}: $name has the digest $got, and $digest is published"
    }
    $said = & $candidate --version
    if ($said -ne "nido $found") { throw "Cannot install Nido ${found}: it does not start here: $said" }
    Move-OverRunning $candidate $binary
  }
  finally { Remove-Item -Force -ErrorAction SilentlyContinue $candidate }
  Write-Host "Nido $found is in $binary"
  $binary
}

# Windows lets a running program be renamed, and neither overwritten nor removed.
function Move-OverRunning([string]$Candidate, [string]$Binary) {
  $previous = Join-Path $Dir 'nido.previous.exe'
  if (Test-Path $Binary) {
    if (Test-Path $previous) {
      $old = Join-Path $Dir '.nido.kept'
      Remove-Item -Force -ErrorAction SilentlyContinue $old
      Move-Item $previous $old
      Remove-Item -Force -ErrorAction SilentlyContinue $old
    }
    Move-Item $Binary $previous
  }
  try { Move-Item $Candidate $Binary }
  catch {
    if (Test-Path $previous) { Move-Item $previous $Binary }
    throw
  }
}

function Add-ToPath {
  $path = [string][Environment]::GetEnvironmentVariable('Path', 'User')
  $there = $path -split ';' | ForEach-Object { $_.TrimEnd('\') }
  if ($there -notcontains $Dir.TrimEnd('\')) {
    [Environment]::SetEnvironmentVariable('Path', (@($path.TrimEnd(';'), $Dir) | Where-Object { $_ }) -join ';', 'User')
    Write-Host "New terminals will find it: $Dir is in your PATH"
  }
  if (($env:Path -split ';') -notcontains $Dir) { $env:Path = "$env:Path;$Dir" }
}

# Once, between the marks by which nido uninstall knows it.
function Add-Completion {
  $profileFile = $PROFILE.CurrentUserAllHosts
  if ((Test-Path $profileFile) -and (Select-String -SimpleMatch -Quiet -Path $profileFile $Begin)) { return }
  New-Item -ItemType Directory -Force -Path (Split-Path $profileFile) | Out-Null
  $line = 'if (Get-Command nido -ErrorAction SilentlyContinue) { nido completion powershell | Out-String | Invoke-Expression }'
  Add-Content -Path $profileFile -Value @($Begin, $line, $End)
}

# It is installed only by somebody who is there and says yes.
function Install-Qemu {
  if ($Unattended -or -not [Environment]::UserInteractive -or [Console]::IsInputRedirected) { return }
  if (Get-Command qemu-system-x86_64 -ErrorAction SilentlyContinue) { return }
  if (Test-Path 'C:\Program Files\qemu\qemu-system-x86_64.exe') { return }
  if (-not (Get-Command winget -ErrorAction SilentlyContinue)) { return }
  $answer = Read-Host 'Nido needs QEMU. Install it now with winget? [y/N]'
  if ($answer -match '^[yY]') { winget install --exact --id SoftwareFreedomConservancy.QEMU }
}

$scratch = Join-Path ([IO.Path]::GetTempPath()) "nido-install-$PID"
New-Item -ItemType Directory -Force -Path $scratch | Out-Null
try {
  $binary = Install-Binary (Get-ReleaseAddress) $scratch
  if (-not $NoModifyPath) {
    Add-ToPath
    Add-Completion
  }
  Install-Qemu
  & $binary doctor
  if ($LASTEXITCODE -ne 0) { Write-Host 'Nido is installed; what is blocked above keeps it from running VMs.' }
}
finally { Remove-Item -Recurse -Force -ErrorAction SilentlyContinue $scratch }
