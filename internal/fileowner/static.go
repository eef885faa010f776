package fileowner

import (
	"debug/elf"
	"fmt"
)

// machines are the processors as Go and engines call them.
var machines = map[string]elf.Machine{
	"386": elf.EM_386, "amd64": elf.EM_X86_64, "arm": elf.EM_ARM, "arm64": elf.EM_AARCH64,
	"loong64": elf.EM_LOONGARCH, "ppc64le": elf.EM_PPC64, "riscv64": elf.EM_RISCV, "s390x": elf.EM_S390,
}

// RunsAnywhere returns nil if a program is one for Linux and a processor that
// needs no file beside itself, so that it runs in any container; else why not.
func RunsAnywhere(program, arch string) error {
	file, err := elf.Open(program)
	if err != nil {
		return fmt.Errorf("%s is no program for Linux: %w", program, err)
	}
	defer file.Close()
	if want, ok := machines[arch]; !ok || file.Machine != want {
		return fmt.Errorf("%s is for another processor than %s", program, arch)
	}
	for _, part := range file.Progs {
		if part.Type == elf.PT_INTERP {
			return fmt.Errorf("%s needs the libraries of this machine", program)
		}
	}
	return nil
}
