// Package hostpath reads paths by the rules of a system that need not be the one
// it runs on: those of Windows with drives, network shares and the files of
// WSL, and those of everything else. It looks at no file, so that the rules of
// each system can be tested on any other.
package hostpath

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// Windows is the one system, as runtime.GOOS names it, with rules of its own.
const Windows = "windows"

// Bind is a directory of this machine and where a container sees it, as written
// on a command line.
type Bind struct {
	Host, Path string
	ReadOnly   bool
}

// ParseBind reads HOST:CONTAINER, with :ro or :rw behind it. The letter of a
// drive in front of HOST is part of it. CONTAINER is a path of Linux. The error
// is a phrase about text.
func ParseBind(text string) (Bind, error) {
	drive, rest := cutDrive(text)
	parts := strings.Split(rest, ":")
	if len(parts) < 2 || len(parts) > 3 || parts[0] == "" || parts[1] == "" {
		return Bind{}, errors.New("is not host:container")
	}
	b := Bind{Host: drive + parts[0], Path: parts[1]}
	if len(parts) == 3 {
		if parts[2] != "ro" && parts[2] != "rw" {
			return Bind{}, fmt.Errorf("has the unknown mode %q", parts[2])
		}
		b.ReadOnly = parts[2] == "ro"
	}
	if !strings.HasPrefix(b.Path, "/") {
		return Bind{}, errors.New("has a container path that is not absolute")
	}
	return b, nil
}

// cutDrive takes the letter of a drive from the front of HOST:CONTAINER. It is
// none in d:/b, a directory called d, unless another path follows.
func cutDrive(text string) (drive, rest string) {
	if hasDrive(text) && len(text) > 2 && (text[2] == '\\' || strings.Contains(text[2:], ":/")) {
		return text[:2], text[2:]
	}
	return "", text
}

func hasDrive(p string) bool {
	return len(p) > 1 && p[1] == ':' && (p[0]|0x20) >= 'a' && (p[0]|0x20) <= 'z'
}

// IsWindows reports whether a path can only be one of Windows: it begins with a
// drive, or with two backslashes, as shares, pipes and the files of WSL do.
func IsWindows(p string) bool {
	return hasDrive(p) && len(p) > 2 && (p[2] == '\\' || p[2] == '/') || strings.HasPrefix(p, `\\`)
}

// IsPipe reports whether a path is that of a named pipe of Windows.
func IsPipe(p string) bool {
	return strings.HasPrefix(strings.ReplaceAll(p, "/", `\`), `\\.\pipe\`)
}

// isAbs reports whether a path of goos is absolute. On Windows one that begins
// with a single slash is not: it is on whatever drive is the current one.
func isAbs(goos, p string) bool {
	if goos == Windows {
		return IsWindows(p) || strings.HasPrefix(p, "//")
	}
	return strings.HasPrefix(p, "/")
}

// Abs is a path of goos as seen from dir, an absolute one, without `.`, `..`
// and doubled separators. Those of Windows come with backslashes.
func Abs(goos, dir, p string) string {
	if goos != Windows {
		if !isAbs(goos, p) {
			p = dir + "/" + p
		}
		return path.Clean(p)
	}
	p = strings.ReplaceAll(p, "/", `\`)
	volume, rest := cutVolume(strings.ReplaceAll(dir, "/", `\`))
	switch {
	case isAbs(goos, p):
		volume, rest = cutVolume(p)
	case strings.HasPrefix(p, `\`):
		rest = p
	default:
		rest += `\` + p
	}
	clean := strings.ReplaceAll(path.Clean("/"+strings.ReplaceAll(rest, `\`, "/")), "/", `\`)
	if clean == `\` && strings.HasPrefix(volume, `\\`) {
		return volume
	}
	return volume + clean
}

// cutVolume splits a path with backslashes behind the drive, or behind the server
// and the share.
func cutVolume(p string) (volume, rest string) {
	if hasDrive(p) {
		return p[:2], p[2:]
	}
	share, ok := strings.CutPrefix(p, `\\`)
	if !ok {
		return "", p
	}
	server, share, _ := strings.Cut(share, `\`)
	share, rest, _ = strings.Cut(share, `\`)
	return `\\` + server + `\` + share, `\` + rest
}

// Drive is a path of Windows with its drive written as Windows does, C:/src for
// the /c/src and //c/src of shells from Unix, such as Git Bash, which Docker
// takes too. What names no drive is as it was.
func Drive(p string) string {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(p, "/"), "/")
	if !ok {
		rest, ok = strings.CutPrefix(p, "/")
	}
	letter, inside, _ := strings.Cut(rest, "/")
	if !ok || len(letter) != 1 || !hasDrive(letter+":") {
		return p
	}
	return strings.ToUpper(letter) + ":/" + inside
}

// WSL is where Linux within Windows sees a path of Windows: a drive below /mnt,
// and its own files, which Windows sees as \\wsl.localhost\NAME or \\wsl$\NAME,
// where they are. It is "" for what Linux does not see.
func WSL(p string) string {
	p = strings.ReplaceAll(p, "/", `\`)
	if !IsWindows(p) {
		return ""
	}
	volume, rest := cutVolume(p)
	rest = path.Clean("/" + strings.ReplaceAll(rest, `\`, "/"))
	if hasDrive(volume) {
		return path.Join("/mnt", strings.ToLower(volume[:1]), rest)
	}
	server, _, _ := strings.Cut(strings.TrimPrefix(volume, `\\`), `\`)
	if s := strings.ToLower(server); s == "wsl.localhost" || s == "wsl$" {
		return rest
	}
	return ""
}

// Join is what is at inside, a way with slashes, in a directory of whatever
// system: that of a container on Windows keeps its slashes.
func Join(dir, inside string) string {
	if IsWindows(dir) {
		return Abs(Windows, dir, inside)
	}
	return path.Join(dir, inside)
}
