namespace Ferry.Cluster.Diagnosis;

/// <summary>The causes, the most probable root first.</summary>
/// <param name="Inputs">What was read, with what speaks in it.</param>
/// <param name="Problems">Inputs that could not be read, and why.</param>
public sealed record DiagnosisReport(IReadOnlyList<DiagnosedCause> Causes, IReadOnlyList<LogScan> Inputs, IReadOnlyList<string> Problems);
