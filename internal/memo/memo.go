// Package memo caches what takes time to find out.
package memo

import "sync"

// Map is a cache with a bound: when it is full it is emptied. The zero value is ready, and holds up to Most entries.
// Readers do not wait for each other. Safe from any goroutine.
type Map[K comparable, V any] struct {
	Most int // entries; 0: the package's Most. Not changed once there is an entry

	m sync.Map

	mu    sync.Mutex // guards changes of m, and what follows
	n     int        // entries
	drops int
}

// Most is the default bound of a Map.
const Most = 100_000

// Get gives the cached value of a key.
func (m *Map[K, V]) Get(k K) (v V, ok bool) {
	x, ok := m.m.Load(k)
	v, _ = x.(V)
	return v, ok
}

// Put caches a value.
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
	if m.n >= most {
		m.clearLocked()
	}
	if _, was := m.m.Swap(k, v); !was {
		m.n++
	}
}

func (m *Map[K, V]) clearLocked() {
	m.m.Clear()
	m.n = 0
}

// Drop forgets a key, because its value has changed.
func (m *Map[K, V]) Drop(k K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drops++
	if _, was := m.m.LoadAndDelete(k); was {
		m.n--
	}
}

// DropAll forgets all keys, because the values of many have changed.
func (m *Map[K, V]) DropAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drops++
	m.clearLocked()
}

// Drops counts the calls of Drop and DropAll so far, for PutUnless.
func (m *Map[K, V]) Drops() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.drops
}

// PutUnless caches a value unless Drop or DropAll was called since Drops gave drops: a value read before a change must
// not hide the change.
func (m *Map[K, V]) PutUnless(k K, v V, drops int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.drops == drops {
		m.putLocked(k, v)
	}
}

// Forgetting gives the function that drops the key that it is given, and all keys for "": as package changes calls it.
func Forgetting[V any](m *Map[string, V]) func(key string) {
	return func(key string) {
		if key == "" {
			m.DropAll()
		} else {
			m.Drop(key)
		}
	}
}
