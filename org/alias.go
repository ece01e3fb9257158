package org

import "parley/internal/fault"

// Names that package muc still uses.
type (
	Error = fault.Error
	Kind  = fault.Kind
)

const (
	Invalid   = fault.Invalid
	Exists    = fault.Exists
	NotFound  = fault.NotFound
	Forbidden = fault.Forbidden
)
