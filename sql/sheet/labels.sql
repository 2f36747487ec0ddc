SELECT worksheet, label FROM sheet_label;
