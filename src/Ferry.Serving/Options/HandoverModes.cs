namespace Ferry.Serving.Options;

/// <summary>The modes' names, as in configuration, reports and metrics.</summary>
public static class HandoverModes
{
    private static readonly (HandoverMode Mode, string Name)[] All =
        [(HandoverMode.Pull, "pull"), (HandoverMode.Push, "push"), (HandoverMode.PushLayerwise, "push-layerwise"), (HandoverMode.Auto, "auto")];

    public static IReadOnlyList<string> Names { get; } = [.. All.Select(one => one.Name)];

    public static string Name(this HandoverMode mode) => All.First(one => one.Mode == mode).Name;

    /// <summary>Null: no such mode.</summary>
    public static HandoverMode? TryParse(string? name) => All.FirstOrDefault(one => one.Name == name) is { Name: not null } found ? found.Mode : null;
}
