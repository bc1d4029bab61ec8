#!/bin/sh
# Lays out, in a directory that already has usr/bin/trainlogd, the whole file system of the image: the libraries that the
# program asks for, with the records and licences of their packages, a user, and a place for state. Beside the program
# there is only cp, by which an init container hands it to a container of another image.
set -eu
root=$1
program=$root/usr/bin/trainlogd
cp /bin/cp "$root/usr/bin/cp"
# Each by the path that the loader looks for it under, symbolic links resolved; the loader itself is named without "=>".
ldd "$program" "$root/usr/bin/cp" \
  | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' | sort -u > /tmp/libraries
[ "$(wc -l < /tmp/libraries)" -ge 5 ]
echo coreutils > /tmp/packages
while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
  # Some releases record a library below /usr/lib that is looked for below /lib, and say that the loader was diverted.
  dpkg -S "*${library#/usr}" | sed '/^diversion/d; s/[:,].*//' >> /tmp/packages
done < /tmp/libraries
# Where scanners look in images without a package manager.
mkdir -p "$root/var/lib/dpkg/status.d"
sort -u /tmp/packages | while read -r package; do
  dpkg -s "$package" > "$root/var/lib/dpkg/status.d/$package"
  mkdir -p "$root/usr/share/doc/$package"
  cp -L "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/copyright"
done
mkdir -p "$root/etc" "$root/training-output" "$root/var/lib/trainlogd"
echo 'trainlogd:x:10001:10001::/var/lib/trainlogd:/nonexistent' > "$root/etc/passwd"
echo 'trainlogd:x:10001:' > "$root/etc/group"
echo 'hosts: files dns' > "$root/etc/nsswitch.conf"
# The umask of the checkout is nobody's affair here.
chmod -R u=rwX,go=rX "$root"
chmod 755 "$program"
chmod 700 "$root/var/lib/trainlogd"
chown 10001:10001 "$root/var/lib/trainlogd"
find "$root" -exec touch -h -d "@${SOURCE_DATE_EPOCH:-0}" {} +
