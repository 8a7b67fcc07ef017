package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// Enter makes the root file system and moves into it for good. It must run in a
// mount namespace of its own: nothing of it is ever seen outside, and all of it
// ends with the last process inside.
func (r *Root) Enter() error {
	if err := mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE); err != nil {
		return err
	}
	if err := bind(r.Dir, r.Dir, 0); err != nil {
		return err
	}
	steps := []func() error{r.showMachine, r.showKernel, r.makeWritable, r.showBinds, r.pivot}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("make root file system: %w", err)
		}
	}
	// The kubelet and the runtime hand mounts to each other and to pods.
	return mount("", "/", "", unix.MS_REC|unix.MS_SHARED)
}

// showMachine shows the machine's programs and their settings, read-only.
func (r *Root) showMachine() error {
	entries, err := os.ReadDir("/")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !shown(e.Name()) {
			continue
		}
		from, to := filepath.Join("/", e.Name()), filepath.Join(r.Dir, e.Name())
		if e.Type()&os.ModeSymlink != 0 {
			target, err := os.Readlink(from)
			if err == nil {
				err = os.Symlink(target, to)
			}
			if err != nil {
				return err
			}
			continue
		}
		if err := bind(from, to, unix.MS_REC); err != nil {
			return err
		}
		if err := mount("", to, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY); err != nil {
			return err
		}
	}
	return nil
}

// shown says whether a folder in the machine's root holds programs, libraries or
// their settings.
func shown(name string) bool {
	switch name {
	case "usr", "bin", "sbin", "etc", "opt", "nix", "gnu":
		return true
	}
	return strings.HasPrefix(name, "lib")
}

// showKernel shows devices and the kernel's file systems; the processes are
// those of the sandbox only.
func (r *Root) showKernel() error {
	for _, name := range []string{"dev", "sys"} {
		if err := bind("/"+name, filepath.Join(r.Dir, name), unix.MS_REC); err != nil {
			return err
		}
	}
	proc := filepath.Join(r.Dir, "proc")
	if err := os.MkdirAll(proc, 0o755); err != nil {
		return err
	}
	return mount("proc", proc, "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC)
}

// makeWritable makes the folders that programs write to.
func (r *Root) makeWritable() error {
	for name, mode := range map[string]os.FileMode{"var": 0o755, "var/lib": 0o755, "var/log": 0o755, "root": 0o700, "tmp": 0o777} {
		dir := filepath.Join(r.Dir, name)
		if err := os.MkdirAll(dir, mode); err != nil {
			return err
		}
	}
	if err := os.Chmod(filepath.Join(r.Dir, "tmp"), os.ModeSticky|0o777); err != nil {
		return err
	}
	run := filepath.Join(r.Dir, "run")
	if err := os.MkdirAll(run, 0o755); err != nil {
		return err
	}
	if err := mount("tmpfs", run, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV); err != nil {
		return err
	}
	return os.Symlink("/run", filepath.Join(r.Dir, "var", "run"))
}

// showBinds shows folders of the machine at their own paths, outer ones first.
func (r *Root) showBinds() error {
	binds := append([]string(nil), r.Binds...)
	sort.Strings(binds)
	for _, dir := range binds {
		if err := bind(dir, filepath.Join(r.Dir, dir), unix.MS_REC); err != nil {
			return err
		}
	}
	return nil
}

func (r *Root) pivot() error {
	old := filepath.Join(r.Dir, ".old")
	if err := os.MkdirAll(old, 0o700); err != nil {
		return err
	}
	if err := unix.PivotRoot(r.Dir, old); err != nil {
		return fmt.Errorf("change root: %w", err)
	}
	return errors.Join(os.Chdir("/"), unix.Unmount("/.old", unix.MNT_DETACH), os.Remove("/.old"))
}

// hideProcesses replaces /proc by one that shows only the sandbox's processes.
func hideProcesses() error {
	if err := mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE); err != nil {
		return err
	}
	return mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC)
}

func bind(from, to string, flags uintptr) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	return mount(from, to, "", unix.MS_BIND|flags)
}

func mount(source, target, kind string, flags uintptr) error {
	if err := unix.Mount(source, target, kind, flags, ""); err != nil {
		return fmt.Errorf("mount %s %s: %w", kind, target, err)
	}
	return nil
}
