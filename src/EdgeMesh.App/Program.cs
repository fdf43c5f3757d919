// composition root, written last
return 0;
