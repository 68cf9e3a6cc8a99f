namespace Ferry.UnitTests.Cache.Records;

public sealed class RecordStoreLruTests() : RecordStoreContract("lru");
