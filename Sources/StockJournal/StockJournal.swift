// StockJournal
