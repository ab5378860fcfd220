"""What every area may use: ids, time, money, quantities, canonical bytes, errors. No I/O."""
