namespace Ferry.UnitTests.Cache.Records;

public sealed class RecordStoreMruTests() : RecordStoreContract("mru");
