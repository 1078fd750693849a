var l="Fallline";export{l as title};
