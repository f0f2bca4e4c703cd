//! The one door to the disk: folders that hold content of others are reached by descriptor, and nothing leaves them;
//! files of kiln's own appear whole, under names that nobody can guess.
