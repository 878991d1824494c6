// StockWire
