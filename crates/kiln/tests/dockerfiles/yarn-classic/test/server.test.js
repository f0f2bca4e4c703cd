// node --test
