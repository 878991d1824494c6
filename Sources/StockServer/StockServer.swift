// StockServer
