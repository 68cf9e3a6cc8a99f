using Ferry.Engine;

namespace Ferry.Cli.Up;

/// <summary>What <c>ferry up</c> was asked for.</summary>
/// <param name="Model">Directory of the model.</param>
/// <param name="SharedDirectory">The shared store of architecture 2; null for hand-over only.</param>
/// <param name="Port">Preferred port of the router.</param>
/// <param name="Once">End after the account.</param>
/// <param name="Json">Print the account as JSON and nothing else on standard output.</param>
/// <param name="LogDirectory">Where the nodes' output is kept.</param>
internal sealed record UpOptions(
    string Model, DeviceProfile PrefillDevice, int PrefillTensorParallel, DeviceProfile DecodeDevice, int DecodeTensorParallel,
    string? SharedDirectory, int Port, bool Once, bool Json, string LogDirectory);
