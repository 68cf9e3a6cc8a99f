namespace Ferry.UnitTests.Cache.Records;

public sealed class RecordStoreLfuTests() : RecordStoreContract("lfu");
