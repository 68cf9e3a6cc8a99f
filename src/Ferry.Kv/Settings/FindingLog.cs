namespace Ferry.Kv.Settings;

/// <summary>Collects what became of every setting while a command's settings are read.</summary>
public sealed class FindingLog
{
    private readonly List<Finding> _all = [];

    /// <summary>Names that are unknown, deprecated or of no use warn instead of stopping the start. Wrong values stop it all the same.</summary>
    public bool IsLenient { get; set; }

    public IReadOnlyList<Finding> All => _all;

    public bool HasErrors => _all.Any(finding => finding.Kind == FindingKind.Error);

    /// <summary>Adds a finding; one that says more about a setting that was plainly honoured takes its place.</summary>
    public void Add(FindingKind kind, string name, string value, string text, string place = "")
    {
        var finding = new Finding(kind, name, value, text, place);
        var plain = _all.IndexOf(finding with { Kind = FindingKind.Honoured, Text = "" });
        if (plain >= 0 && text.Length > 0)
        {
            _all[plain] = finding;
            return;
        }
        _all.Add(finding);
    }

    public void Error(string name, string value, string text, string place = "") => Add(FindingKind.Error, name, value, text, place);

    public void Warn(string name, string value, string text, string place = "") => Add(FindingKind.Warning, name, value, text, place);

    /// <summary>A name that cannot be used: an error, or a warning when lenient.</summary>
    public void Refuse(string name, string value, string text, string place = "") =>
        Add(IsLenient ? FindingKind.Warning : FindingKind.Error, name, value, IsLenient ? $"{text} (Only a warning: --lenient.)" : text, place);
}
