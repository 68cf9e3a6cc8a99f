using Ferry.Kv.Records;

namespace Ferry.Cache.Remote;

/// <summary>Proves bytes that came from a shared store: header, checksums, and that the record is the one its name says.</summary>
internal static class RecordProof
{
    /// <param name="location">Path of the record, relative to the root.</param>
    /// <returns>What is wrong, or null.</returns>
    public static string? FindError(ReadOnlySpan<byte> record, string location, out KvRecordHeader? header)
    {
        if (!KvRecord.TryRead(record, out header, out var error))
        {
            return error.ToString();
        }
        if (RecordPath.OfRecord(header) == location)
        {
            return null;
        }
        header = null;
        return "it is another record than its name says";
    }
}
