#!/bin/sh
# Installs egk8s: downloads the archive of this machine's platform, compares its SHA-256 with the release's
# list, and puts the program into a folder. Nothing is installed when anything is doubtful.
#
#   EGK8S_VERSION   which release (default: the one this script belongs to)
#   EGK8S_BASE_URL  where the releases are, one folder for each version
#   EGK8S_BIN_DIR   folder that takes the program (default: /usr/local/bin as root, else ~/.local/bin)
set -eu

releases_url=https://egk8s.dev/releases
release_version=

version=${EGK8S_VERSION:-$release_version}
base=${EGK8S_BASE_URL:-$releases_url}

fail() {
  echo "error: $1" >&2
  exit 1
}

download() { # URL FILE
  if command -v curl >/dev/null 2>&1; then
    curl --fail --silent --show-error --location --retry 3 --output "$2" "$1"
  elif command -v wget >/dev/null 2>&1; then
    wget -q -O "$2" "$1"
  else
    fail "neither curl nor wget is here; install one of them"
  fi || fail "cannot download $1"
}

digest() { # FILE
  if command -v sha256sum >/dev/null 2>&1; then
    sha256sum "$1" | cut -d ' ' -f 1
  elif command -v shasum >/dev/null 2>&1; then
    shasum -a 256 "$1" | cut -d ' ' -f 1
  elif command -v openssl >/dev/null 2>&1; then
    openssl dgst -sha256 -r "$1" | cut -d ' ' -f 1
  fi
}

platform() {
  case $(uname -s) in
    Linux) system=linux ;;
    Darwin) system=darwin ;;
    *) fail "no archive for $(uname -s) that this script can install; Windows: take the .zip from $base/$version" ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) machine=amd64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) fail "no archive for the machine $(uname -m); there are amd64 and arm64" ;;
  esac
}

main() {
  [ -n "$version" ] || fail "which version? set EGK8S_VERSION, or take the install.sh of a release"
  case $version in *[!A-Za-z0-9.+_-]*) fail "EGK8S_VERSION=$version is not the name of a release" ;; esac
  platform
  if [ -n "${EGK8S_BIN_DIR:-}" ]; then
    folder=$EGK8S_BIN_DIR
  elif [ "$(id -u)" = 0 ]; then
    folder=/usr/local/bin
  else
    folder=${HOME:?}/.local/bin
  fi
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' HUP INT TERM

  archive=egk8s_${version}_${system}_${machine}.tar.gz
  download "$base/$version/SHA256SUMS" "$work/SHA256SUMS"
  download "$base/$version/$archive" "$work/$archive"
  want=$(awk -v name="$archive" '$2 == name { print $1 }' "$work/SHA256SUMS")
  [ -n "$want" ] || fail "$base/$version/SHA256SUMS does not list $archive"
  have=$(digest "$work/$archive")
  [ -n "$have" ] || fail "none of sha256sum, shasum and openssl is here, so the archive cannot be checked"
  [ "$want" = "$have" ] || fail "$archive is not what the release lists (SHA-256 $have, want $want); nothing was installed"

  tar -xzf "$work/$archive" -C "$work" egk8s || fail "cannot unpack $archive"
  mkdir -p "$folder"
  # Renamed into place: a program that is running keeps its file, and no one sees half of one.
  cp "$work/egk8s" "$folder/.egk8s.$$"
  chmod 755 "$folder/.egk8s.$$"
  mv -f "$folder/.egk8s.$$" "$folder/egk8s"
  echo "egk8s $version installed as $folder/egk8s"
  case ":$PATH:" in
    *":$folder:"*) ;;
    *) echo "$folder is not on your PATH; add it: export PATH=\"$folder:\$PATH\"" ;;
  esac
}

main
