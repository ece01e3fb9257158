// Package memo remembers what takes time to find out.
package memo

import "sync"

// Map is a map with a bound: when it is full it starts anew. The zero one is ready, and has room for Most entries. It
// is safe from any goroutine.
type Map[K comparable, V any] struct {
	Most int // entries; 0: Most of the package. It is not changed once there is an entry.

	mu    sync.Mutex
	m     map[K]V
	drops int
}

// Most is how many entries there are at most where a Map does not say.
const Most = 100_000

// Get gives what is remembered for a key.
func (m *Map[K, V]) Get(k K) (v V, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok = m.m[k]
	return v, ok
}

// Put remembers a value.
func (m *Map[K, V]) Put(k K, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.putLocked(k, v)
}

func (m *Map[K, V]) putLocked(k K, v V) {
	most := m.Most
	if most <= 0 {
		most = Most
	}
	if m.m == nil || len(m.m) >= most {
		m.m = make(map[K]V)
	}
	m.m[k] = v
}

// Drop forgets a key: what is remembered of it is not so any more.
func (m *Map[K, V]) Drop(k K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drops++
	delete(m.m, k)
}

// Drops counts the calls of Drop so far, for PutUnless.
func (m *Map[K, V]) Drops() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.drops
}

// PutUnless remembers a value unless anything was dropped since Drops gave drops: a value that was read before a change
// does not hide the change.
func (m *Map[K, V]) PutUnless(k K, v V, drops int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.drops == drops {
		m.putLocked(k, v)
	}
}
