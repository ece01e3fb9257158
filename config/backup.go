package config

// Backup holds the settings of backups that owners make in the web console.
type Backup struct {
	Dir  string `yaml:"dir"`  // "": data_dir/backups
	Keep int    `yaml:"keep"` // how many to keep: the newest ones
}
