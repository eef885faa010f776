function(name, commands) { name: name, image: 'golang:1.26', commands: commands }
