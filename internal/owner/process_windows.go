package owner

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// bootID is not known here: the time at which a process was started is that of
// the calendar, so that it does not need one.
func bootID() string { return "" }

func pidNamespace() string { return "" }

func machineID() string {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, `SOFTWARE\Microsoft\Cryptography`, registry.QUERY_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return ""
	}
	defer key.Close()
	id, _, err := key.GetStringValue("MachineGuid")
	if err != nil {
		return ""
	}
	return id
}

// stillActive is the exit code of a process that has none yet.
const stillActive = 259

func lookUp(pid int) (existence, string) {
	process, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
		return absent, ""
	}
	if err != nil {
		return hidden, ""
	}
	defer func() { _ = windows.CloseHandle(process) }() // it was only looked at
	var code uint32
	if windows.GetExitCodeProcess(process, &code) == nil && code != stillActive {
		return absent, ""
	}
	var created, exited, kernel, user windows.Filetime
	if windows.GetProcessTimes(process, &created, &exited, &kernel, &user) != nil {
		return hidden, ""
	}
	return present, fmt.Sprint(created.Nanoseconds())
}
