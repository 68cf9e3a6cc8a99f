namespace Ferry.UnitTests.Cache.Records;

public sealed class RecordStoreS3FifoTests() : RecordStoreContract("s3fifo");
