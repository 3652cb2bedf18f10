//! The export of a kops cluster as the source of a new cluster file.

use std::io::Read;
use std::path::Path;

use crate::cli::{CliError, Session};
use crate::spec::{KopsConversion, KopsDifference, KopsError, SourceText, from_kops};

/// Reads the export from a file, or from stdin for `-`, and converts it.
pub(super) fn read(path: &Path) -> Result<KopsConversion, CliError> {
    let unreadable = |source| CliError::Unreadable { path: path.to_owned(), source };
    let (name, bytes) = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(unreadable)?;
        ("stdin".to_owned(), bytes)
    } else {
        (path.display().to_string(), std::fs::read(path).map_err(unreadable)?)
    };
    let text = String::from_utf8(bytes)
        .map_err(|error| unreadable(std::io::Error::new(std::io::ErrorKind::InvalidData, error.utf8_error())))?;
    let source = SourceText::new(&name, &text);
    from_kops(source.text()).map_err(|error| refused(&source, &error))
}

fn refused(source: &SourceText, error: &KopsError) -> CliError {
    let place = match error {
        KopsError::Yaml(error) => {
            let position = source.position(error.place.start);
            format!("{}:{}:{}", source.name(), position.line, position.column)
        }
        _ => source.name().to_owned(),
    };
    let hint = match error {
        KopsError::Yaml(_) => "fix it, or export the cluster again: `kops get NAME -o yaml`",
        KopsError::OtherCloud(_) => "write a new file with `quorate init --name NAME --zones ZONES`",
        KopsError::SeveralClusters(_) => "export one cluster: `kops get NAME -o yaml`",
        _ => "export the cluster with `kops get NAME -o yaml`",
    };
    CliError::Usage { message: format!("{place}: {error}; nothing was written"), hint: hint.to_owned() }
}

/// Shows the differences between the kops cluster and the file.
pub(super) fn show(session: &Session, differences: &[KopsDifference]) {
    if session.ui.is_quiet() || differences.is_empty() {
        return;
    }
    session
        .ui
        .warning("the cluster of kops has more than the file, or has it differently. The file lists this at its end:");
    for KopsDifference { path, text } in differences {
        session.ui.detail(path, text);
    }
}
