// StockConnection
