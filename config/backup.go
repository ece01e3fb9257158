package config

// Backup is where backups go that are made on the page of the system.
type Backup struct {
	Dir  string `yaml:"dir"`  // "": data_dir/backups
	Keep int    `yaml:"keep"` // the newest that are kept
}
