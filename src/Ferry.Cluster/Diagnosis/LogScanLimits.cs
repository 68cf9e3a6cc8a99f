namespace Ferry.Cluster.Diagnosis;

/// <summary>Bounds of reading one log, so that neither its size nor its shape can harm the reader.</summary>
/// <param name="LineChars">Of a longer line the rest is not looked at.</param>
/// <param name="InputBytes">After decompression; a longer input is read up to here and the report says so.</param>
/// <param name="EvidenceChars">Of a line that is shown.</param>
public sealed record LogScanLimits(int LineChars = 64 << 10, long InputBytes = 1L << 40, int EvidenceChars = 600);
