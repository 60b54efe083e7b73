"""fenliu on a broker that asks who comes, and allows nothing that was not granted."""
