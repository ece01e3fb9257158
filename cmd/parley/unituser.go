package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"parley/admin"
)

// unitUser is the user that the unit runs the server as. Setup runs as root, which may read files that this user may
// not.
type unitUser struct {
	name string
	uid  uint32
	gids []uint32
}

// findUser finds the user and the group of a unit. wrong describes a missing one, and todo how to create it.
func (p *setupPlan) findUser() (u unitUser, wrong, todo string) {
	found, err := user.Lookup(p.User)
	if err != nil {
		var unknown user.UnknownUserError
		if errors.As(err, &unknown) {
			return u, "there is no user " + p.User + ": whether it can read the files is not known yet", p.makeUser()
		}
		return u, err.Error(), "name a user of this machine with --user"
	}
	group, err := user.LookupGroup(p.User)
	if err != nil {
		return u, "there is no group " + p.User + ", which the unit names beside the user",
			fmt.Sprintf("groupadd --system %s, or name another user with --user", p.User)
	}
	ids, err := found.GroupIds()
	if err != nil {
		return u, err.Error(), "look at its groups"
	}
	u = unitUser{name: p.User}
	for _, id := range append(ids, group.Gid) {
		if n, err := strconv.ParseUint(id, 10, 32); err == nil {
			u.gids = append(u.gids, uint32(n))
		}
	}
	n, err := strconv.ParseUint(found.Uid, 10, 32)
	if err != nil {
		return u, err.Error(), "name a user of this machine with --user"
	}
	u.uid = uint32(n)
	return u, "", ""
}

func (p *setupPlan) makeUser() string {
	return fmt.Sprintf("useradd --system --user-group --home-dir %s --shell /usr/sbin/nologin %s", p.DataDir, p.User)
}

// Rights as in the modes of files.
const (
	toExecute = 1
	toWrite   = 2
	toRead    = 4
)

// userFindings says of each file and directory that the server's user needs whether the user can use it under the unit.
func (p *setupPlan) userFindings() (fs []admin.Finding) {
	say := func(what, state, text, todo string) {
		fs = append(fs, admin.Finding{Area: "server's user", What: what, State: state, Text: text, Todo: todo})
	}
	u, wrong, todo := p.findUser()
	if wrong != "" {
		say(p.User, admin.Failed, wrong, todo)
	} else {
		say(p.User, admin.OK, "it is there", "")
	}
	for _, f := range []struct {
		name string
		need uint32
	}{
		{p.Program, toRead | toExecute}, {p.File, toRead}, {p.Certificate, toRead}, {p.Key, toRead},
		{p.DSNFile, toRead}, {p.DataDir, toRead | toWrite | toExecute},
	} {
		if f.name == "" {
			continue
		}
		var why string
		var err error
		if wrong == "" {
			why, err = u.may(f.name, f.need)
		}
		switch hidden := hiddenByUnit(f.name); {
		case err != nil && (f.name != p.DataDir || !errors.Is(err, os.ErrNotExist)):
			say(f.name, admin.Failed, err.Error(), "put it there, or name another")
		case why != "":
			say(f.name, admin.Failed, why,
				"change owner, group or mode, or copy the file to where "+u.name+" can read it")
		case hidden != "":
			say(f.name, admin.Failed, "the unit hides "+hidden+" from the server",
				"put it elsewhere, such as below /etc, /usr/local or /var/lib")
		case wrong == "" && err == nil:
			say(f.name, admin.OK, u.name+" has the rights that it needs", "")
		}
	}
	return fs
}

// hiddenByUnit returns the directory by which ProtectHome and PrivateTmp of the unit hide a file from the server; "" if
// they do not.
func hiddenByUnit(name string) string {
	for _, dir := range []string{"/home", "/root", "/run/user", "/tmp", "/var/tmp"} {
		if strings.HasPrefix(name, dir+"/") {
			return dir
		}
	}
	return ""
}

// may returns why the user cannot use a file, for lack of a right to it or to a directory on the way; "" if the user
// can. The error says what could not be checked.
func (u unitUser) may(name string, need uint32) (why string, err error) {
	at, rest := "/", pathParts(name)
	for links := 0; len(rest) > 0; {
		if ok, err := u.has(at, toExecute); err != nil {
			return "", err
		} else if !ok {
			return fmt.Sprintf("%s may not go into %s", u.name, at), nil
		}
		next := filepath.Join(at, rest[0])
		rest = rest[1:]
		i, err := os.Lstat(next)
		if err != nil {
			return "", err
		}
		if i.Mode()&fs.ModeSymlink == 0 {
			at = next
			continue
		}
		if links++; links > 40 {
			return "", fmt.Errorf("%s: too many links", name)
		}
		target, err := os.Readlink(next)
		if err != nil {
			return "", err
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = append(pathParts(target), rest...)
	}
	for _, right := range []struct {
		bit  uint32
		text string
	}{{toRead, "read"}, {toWrite, "write to"}, {toExecute, "use"}} {
		if need&right.bit == 0 {
			continue
		}
		if ok, err := u.has(at, right.bit); err != nil || !ok {
			return fmt.Sprintf("%s may not %s %s", u.name, right.text, at), err
		}
	}
	return "", nil
}

func pathParts(name string) []string {
	return strings.FieldsFunc(filepath.Clean(name), func(r rune) bool { return r == filepath.Separator })
}

// has says whether the user has one right to a file or directory.
func (u unitUser) has(name string, right uint32) (bool, error) {
	i, err := os.Lstat(name)
	if err != nil {
		return false, err
	}
	s, ok := i.Sys().(*syscall.Stat_t)
	if !ok {
		return false, fmt.Errorf("%s: its owner is not known on this system", name)
	}
	mode := uint32(i.Mode().Perm())
	switch {
	case u.uid == 0:
		return right != toExecute || i.IsDir() || mode&0o111 != 0, nil
	case u.uid == s.Uid:
		return mode>>6&right != 0, nil
	}
	if granted, known := u.byACL(name, s.Gid, right); known {
		return granted, nil
	}
	if slices.Contains(u.gids, s.Gid) {
		return mode>>3&right != 0, nil
	}
	return mode&right != 0, nil
}
