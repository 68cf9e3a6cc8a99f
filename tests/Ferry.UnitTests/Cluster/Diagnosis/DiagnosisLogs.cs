using Ferry.Cluster.Diagnosis;
using Ferry.TestKit;
using Xunit;

namespace Ferry.UnitTests.Cluster.Diagnosis;

/// <summary>The logs of tests/data/logs: one a signature, named after it, made of lines that issues quote.</summary>
internal static class DiagnosisLogs
{
    public static string PathOf(string name) => RepositoryRoot.At("tests", "data", "logs", name);

    public static string Read(string name) => File.ReadAllText(PathOf(name));

    /// <summary>Scans bytes with the whole table.</summary>
    public static async Task<LogScan> ScanAsync(Stream stream, LogScanLimits? limits = null) =>
        await new LogScanner(new SignatureIndex(SignatureTable.All), limits ?? new LogScanLimits()).ScanAsync("log", stream, TestContext.Current.CancellationToken);

    public static async Task<LogScan> ScanAsync(string text, LogScanLimits? limits = null)
    {
        using var stream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text));
        return await ScanAsync(stream, limits);
    }
}
