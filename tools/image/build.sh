#!/usr/bin/env bash
# Makes a container image of Ferry from this machine's own files: the build, the .NET runtime, and the libraries that both load. Needs no registry.
#
#   tools/image/build.sh [--tag ferry:0.1.0] [--app DIR] [--shell]
#
#   --tag NAME    name of the image
#   --app DIR     a build of ferry; without it src/Ferry.Cli is published first
#   --shell       with a busybox in it, for whoever wants to look around
#
# The image has no shell (unless asked), no package manager and no user of its own: everything in it may be read by any user.
# Where a registry can be reached, the same in a Dockerfile: FROM mcr.microsoft.com/dotnet/aspnet:10.0, COPY the publish output to /app, ENTRYPOINT ["/app/ferry"].
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tag=ferry:0.1.0 app='' shell=''
while (($#)); do
  case $1 in
    --tag) tag=${2:?--tag needs a name}; shift 2 ;;
    --app) app=${2:?--app needs a directory}; shift 2 ;;
    --shell) shell=yes; shift ;;
    *) echo "build.sh: unknown option '$1'; see the head of this file" >&2; exit 2 ;;
  esac
done
for tool in docker dotnet tar ldd; do
  command -v "$tool" >/dev/null || { echo "build.sh: $tool is needed and not on PATH" >&2; exit 127; }
done
if [[ -z $app ]]; then
  dotnet publish "$root/src/Ferry.Cli" -c Release -nologo -v quiet
  app=$root/artifacts/publish/Ferry.Cli/release
fi
[[ -x $app/ferry ]] || { echo "build.sh: there is no program ferry in $app" >&2; exit 2; }

# The directory that holds the shared runtimes, wherever 'dotnet' itself is a link or a script.
runtimes=$(dotnet --list-runtimes | sed -n 's/^Microsoft\.AspNetCore\.App 10\.[^ ]* \[\(.*\)\/Microsoft\.AspNetCore\.App\]$/\1/p' | tail -1)
[[ -n $runtimes ]] || { echo "build.sh: there is no ASP.NET Core 10 runtime (dotnet --list-runtimes)" >&2; exit 2; }
dotnet_home=$(dirname "$runtimes")

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage"/{app,etc/ssl/certs,tmp,usr/bin,usr/share/dotnet/shared,usr/share/dotnet/host}
chmod 1777 "$stage/tmp"
cp -rL "$app"/. "$stage/app/"
rm -f "$stage"/app/*.pdb "$stage"/app/*.xml
find "$stage/app/runtimes" -mindepth 1 -maxdepth 1 ! -name 'linux*' ! -name 'unix*' -exec rm -rf {} + 2>/dev/null || true
cp -a "$dotnet_home/host/." "$stage/usr/share/dotnet/host/"
for runtime in Microsoft.NETCore.App Microsoft.AspNetCore.App; do
  mkdir -p "$stage/usr/share/dotnet/shared/$runtime"
  newest=$(find "$runtimes/$runtime" -mindepth 1 -maxdepth 1 -name '10.*' | sort -V | tail -1)
  cp -a "$newest" "$stage/usr/share/dotnet/shared/$runtime/"
done
ln -s /app/ferry "$stage/usr/bin/ferry"
printf 'root:x:0:0:root:/tmp:/usr/bin/ferry\nnonroot:x:65532:65532:nonroot:/tmp:/usr/bin/ferry\n' >"$stage/etc/passwd"
printf 'root:x:0:\nnonroot:x:65532:\n' >"$stage/etc/group"
printf 'hosts: files dns\n' >"$stage/etc/nsswitch.conf"
[[ ! -f /etc/ssl/certs/ca-certificates.crt ]] || cp -L /etc/ssl/certs/ca-certificates.crt "$stage/etc/ssl/certs/"

# What the programs and the runtime's own libraries load, by the paths that the loader looks at; OpenSSL and the name service by name.
libraries() {
  find "$stage/app" "$stage/usr/share/dotnet" -type f \( -name '*.so' -o -name ferry \) -print0 | xargs -0 -n1 ldd 2>/dev/null | grep -o '/[^ ]*' || true   # ldd fails for what is static
  "$(command -v ldconfig || echo /sbin/ldconfig)" -p | grep -oE '/[^ ]*/(libssl|libcrypto)\.so\.3$'
  [[ -z $shell ]] || ldd "$(command -v busybox)" 2>/dev/null | grep -o '/[^ ]*' || true
}
while read -r library; do
  [[ $library != "$stage"/* && -f $library ]] || continue
  mkdir -p "$stage$(dirname "$library")"
  cp -L "$library" "$stage$library"
done < <(libraries | sort -u)
if [[ -n $shell ]]; then
  command -v busybox >/dev/null || { echo "build.sh: --shell needs busybox" >&2; exit 127; }
  cp -L "$(command -v busybox)" "$stage/usr/bin/busybox"
  mkdir -p "$stage/bin"
  for name in sh cat env ls grep printenv; do
    ln -sf /usr/bin/busybox "$stage/bin/$name"
  done
fi

tar -C "$stage" --owner=0 --group=0 -cf - . | docker import \
  --change 'ENV PATH=/usr/bin:/bin' --change 'ENV DOTNET_ROOT=/usr/share/dotnet' --change 'ENV DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1' \
  --change 'ENV HOME=/tmp' --change 'WORKDIR /tmp' --change 'ENTRYPOINT ["/usr/bin/ferry"]' - "$tag" >/dev/null
echo "$tag is there: $(docker image inspect --format '{{.Size}}' "$tag") bytes"
