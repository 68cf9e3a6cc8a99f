using System.Text;

namespace Ferry.Kv.Settings;

/// <summary>Settings as tables of a reference page and as lines of a help text.</summary>
public static class SettingTables
{
    public static void AppendMarkdown(StringBuilder text, string title, IEnumerable<Setting> settings)
    {
        Setting[] rows = [.. settings];
        var hasKeys = rows.Any(setting => setting.Key.Length > 0);
        text.Append("\n## ").Append(title).Append("\n\n| name |").Append(hasKeys ? " key in the file |" : "").Append(" value | default | what it does |\n|---|")
            .Append(hasKeys ? "---|" : "").Append("---|---|---|\n");
        foreach (var setting in rows)
        {
            text.Append("| ").Append(string.Join(", ", setting.Names.Select(name => $"`{name}`"))).Append(" | ");
            if (hasKeys)
            {
                text.Append(setting.Key.Length > 0 ? $"`{setting.Key}`" : "").Append(" | ");
            }
            text.Append(Cell(setting.Value)).Append(" | ").Append(Cell(setting.Default)).Append(" | ").Append(Cell(setting.Text)).Append(" |\n");
        }
    }

    public static void AppendHelp(StringBuilder text, IEnumerable<Setting> settings)
    {
        foreach (var setting in settings)
        {
            var name = setting.IsSwitch && setting.HasEffect ? $"--[no-]{setting.Name[2..]}"
                : setting.Name.StartsWith('-') ? $"{string.Join(", ", setting.Names)} {setting.Value}".TrimEnd()
                : setting.Name;
            text.Append("  ").Append(name.PadRight(40)).Append(' ').Append(setting.Text)
                .Append(setting.Default.Length > 0 && setting.Name.StartsWith('-') ? $" Default: {setting.Default}." : "").Append('\n');
        }
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
