namespace Ferry.Kv.Settings;

/// <summary>A setting with where its value goes.</summary>
/// <typeparam name="TDraft">What is being filled in: mutable, unchecked, thrown away once the options are made of it.</typeparam>
/// <param name="Take">Takes the value over. Null: known, accepted, without effect.</param>
public sealed record Setting<TDraft>(string Name, string Value, string Default, string Text, Action<TDraft, SettingValue>? Take)
    : Setting(Name, Value, Default, Text)
{
    public override bool HasEffect => Take is not null;

    /// <summary>Applies a value and records what became of it.</summary>
    /// <param name="place">Where it was read, as <c>file:line:column</c>; empty when the name says it.</param>
    public void Apply(TDraft draft, FindingLog findings, string text, string place = "")
    {
        var value = new SettingValue(this, text, place, findings);
        if (IsRefused)
        {
            findings.Refuse(Name, value.Shown, $"{Name}: {Text}", place);
            return;
        }
        if (Take is null)
        {
            value.Warn(Text);
            return;
        }
        var before = findings.All.Count;
        Take(draft, value);
        if (findings.All.Count == before)
        {
            value.Honour("");
        }
    }
}
