namespace Ferry.UnitTests.Cache.Records;

public sealed class RecordStoreFifoTests() : RecordStoreContract("fifo");
