package doctor

import "syscall"

// clockSynced says whether something synchronises the clock, as the kernel knows (adjtimex, STA_UNSYNC).
func clockSynced() (synced, known bool) {
	var t syscall.Timex
	state, err := syscall.Adjtimex(&t)
	const unsynced, failed = 0x40, 5
	return state != failed && t.Status&unsynced == 0, err == nil
}
